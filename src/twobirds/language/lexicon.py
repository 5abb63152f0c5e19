"""The words in which people describe faces, and what they say of CelebA's attributes (P5)."""

from collections.abc import Mapping

Effects = dict[str, float]
"""Attributes with their values in [0, 1]."""


def effects_table(text: str) -> dict[str, Effects]:
    """Parse lines of `word, word: Attribute` or `Attribute=0`, several with spaces between."""
    table: dict[str, Effects] = {}
    for line in text.strip().splitlines():
        words, _, effects = line.partition(":")
        parsed = {}
        for effect in effects.split():
            name, _, value = effect.partition("=")
            parsed[name] = float(value or 1)
        table |= {word.strip(): parsed for word in words.split(",")}
    return table


PHRASES: Mapping[str, Effects] = effects_table("""
young, youthful, teenage, teenaged, underage: Young
old, elderly, aged, older, middle-aged, middle aged, ageing, aging: Young=0
retired, senior citizen: Young=0
balding, thinning hair, going bald: Receding_Hairline Bald=0.6
bald, hairless, shaved head, shaven head, bald head, bald headed, shaven-headed: Bald
beard, bearded, beards, facial hair, unshaven: No_Beard=0
clean shaved, clean-shaved, freshly shaved, well-shaved: No_Beard
clean shaven, clean-shaven, cleanly shaven, cleanshaven, beardless, smooth shaven, shaven: No_Beard
goatee, goatees, chin beard: Goatee
mustache, moustache, mustached, moustached, tash, moustaches, mustaches, mustachioed: Mustache
stubble, stubbly, five o'clock shadow, 5 o'clock shadow, five-o'clock shadow: 5_o_Clock_Shadow
5-o'clock shadow: 5_o_Clock_Shadow
five oclock shadow, 5 oclock shadow, designer stubble: 5_o_Clock_Shadow
sideburns, sideburn, sideboards, mutton chops: Sideburns
glasses, eyeglasses, spectacles, specs, sunglasses, shades, bespectacled, eyeglass: Eyeglasses
goggles: Eyeglasses
hat, cap, beanie, hats, helmet, baseball cap, beret, fedora, headwear, bonnet: Wearing_Hat
bobble hat: Wearing_Hat
earrings, earring, ear rings, ear studs: Wearing_Earrings
necklace, necklaces, pendant, pearls: Wearing_Necklace
necktie, tie, ties, bow tie, neck tie, neckties: Wearing_Necktie
lipstick, lip stick: Wearing_Lipstick
makeup: Heavy_Makeup
mascara, eyeliner, eyeshadow, eye shadow, made-up: Heavy_Makeup
smile, smiles, smiling, smiled, grin, grins, grinning, grinned, laughing, laughs, laugh: Smiling
beaming, smiley, cheerful: Smiling
frown, frowns, frowning, frowned, serious, unsmiling, stern, scowling, sullen, grim: Smiling=0
solemn, sad: Smiling=0
bangs, fringe, fringes: Bangs
chubby, fat, overweight, plump, obese, heavy-set, heavyset, stout, chubbiness, tubby, chunky: Chubby
slim, skinny, slender, gaunt: Chubby=0
attractive, handsome, beautiful, pretty, good-looking, good looking, gorgeous, lovely: Attractive
cute, stunning: Attractive
ugly, unattractive, plain-looking: Attractive=0
blonde, blond, blondes, fair-haired, fair haired, towheaded: Blond_Hair
brunette, brunet: Brown_Hair
pale, pallid, pasty: Pale_Skin
tanned, suntanned, tan: Pale_Skin=0
blurry, blurred, out of focus, out-of-focus: Blurry
double chin, double-chinned, second chin: Double_Chin
receding hairline, receding hair, receding: Receding_Hairline
bags under, bags beneath, bags below, baggy eyes, under-eye bags, eye bags: Bags_Under_Eyes
eyebags, dark circles: Bags_Under_Eyes
waves, curls, curly, wavy, curly-haired, wavy-haired: Wavy_Hair
gray-haired, grey-haired, white-haired, silver-haired: Gray_Hair
dark-haired, black-haired, raven-haired: Black_Hair
brown-haired: Brown_Hair
blond-haired, blonde-haired: Blond_Hair
straight-haired: Straight_Hair
rosy-cheeked, red-cheeked: Rosy_Cheeks
pale-skinned, fair-skinned, light-skinned: Pale_Skin
big-nosed, large-nosed: Big_Nose
full-lipped, thick-lipped, big-lipped: Big_Lips
thin-lipped: Big_Lips=0
round-faced: Chubby
oval-faced: Oval_Face
narrow-eyed, squinting, squint: Narrow_Eyes
blushing, blush: Rosy_Cheeks
open-mouthed, open the mouth, open her mouth, open his mouth: Mouth_Slightly_Open
close the mouth, close her mouth, close his mouth: Mouth_Slightly_Open=0
shut the mouth, shut her mouth, shut his mouth: Mouth_Slightly_Open=0
curl hair, curl the hair, curl her hair, curl his hair, curl my hair: Wavy_Hair
straighten hair, straighten the hair, straighten her hair, straighten his hair: Straight_Hair
straighten my hair: Straight_Hair
lighten skin, lighten the skin, lighten her skin, lighten his skin, lighten my skin: Pale_Skin
darken skin, darken the skin, darken her skin, darken his skin, darken my skin: Pale_Skin=0
sharpen the picture, sharpen the photo, sharpen the image: Blurry=0
""")
"""Words and phrases that speak for themselves."""

PRONOUNS: Mapping[str, Effects] = effects_table("""
he, his, him, himself, sir: Male
she, her, hers, herself, madam, ma'am: Male=0
""")
"""What counts only where nothing else says it."""

NOUNS: Mapping[str, Mapping[str, Effects]] = {
    "hair": effects_table("""
black, dark, jet-black, raven: Black_Hair
blond, blonde, fair, golden, yellow, light, sandy, platinum: Blond_Hair
brown, chestnut, brunette, brunet, hazel, light-brown, dark-brown: Brown_Hair
gray, grey, white, silver, silvery, graying, greying: Gray_Hair
wavy, curly, curled, frizzy, curling: Wavy_Hair
straight, sleek, straightened, lank: Straight_Hair
receding: Receding_Hairline
"""),
    "eyebrows": effects_table("""
bushy, thick, heavy, big, dense: Bushy_Eyebrows
thin, fine, sparse: Bushy_Eyebrows=0
arched, raised, curved, arching: Arched_Eyebrows
"""),
    "nose": effects_table("""
big, large, huge, broad, wide, bulbous, enormous, prominent: Big_Nose
small, little, tiny, short, button, snub: Big_Nose=0
pointy, pointed, sharp: Pointy_Nose
"""),
    "lips": effects_table("""
big, full, thick, plump, large, fat, fuller, voluptuous: Big_Lips
thin, small, narrow: Big_Lips=0
painted: Wearing_Lipstick
parted, open: Mouth_Slightly_Open
"""),
    "mouth": effects_table("""
open, opened, agape, ajar, parted: Mouth_Slightly_Open
closed, shut: Mouth_Slightly_Open=0
"""),
    "eyes": effects_table("""
narrow, slanted, slitted, squinty, small, squinting, narrowed: Narrow_Eyes
wide, big, large, round, huge, wide-open: Narrow_Eyes=0
baggy, puffy: Bags_Under_Eyes
"""),
    "face": effects_table("""
oval, oval-shaped: Oval_Face
chubby, round, fat, plump, full: Chubby
thin, slim, narrow, gaunt: Chubby=0
pale, white: Pale_Skin
tanned: Pale_Skin=0
"""),
    "skin": effects_table("""
pale, fair, light, white, pallid: Pale_Skin
tanned, dark, brown, olive, bronzed: Pale_Skin=0
"""),
    "cheeks": effects_table("""
rosy, red, flushed, pink, ruddy: Rosy_Cheeks
chubby, fat, plump: Chubby
"""),
    "cheekbones": effects_table("""
high, prominent, raised: High_Cheekbones
low: High_Cheekbones=0
"""),
    "chin": effects_table("""
double, second: Double_Chin
"""),
    "hairline": effects_table("""
receding, high: Receding_Hairline
low: Receding_Hairline=0
"""),
    "makeup": effects_table("""
heavy, thick, strong, bold, full, dramatic: Heavy_Makeup
light, natural, subtle, soft, discreet: Heavy_Makeup=0
"""),
    "smile": effects_table("""
big, wide, broad, huge, large, bright, full: Smiling
small, little, slight, faint, tiny, light: Smiling=0.6
"""),
    "picture": effects_table("""
sharp, crisp, clear, focused: Blurry=0
blurry, blurred, fuzzy, unsharp, unclear: Blurry
"""),
}
"""Parts of a face, and what adjectives say of them."""

SYNONYMS: Mapping[str, str] = {
    "hairs": "hair", "haired": "hair", "locks": "hair",
    "eyebrow": "eyebrows", "brows": "eyebrows", "brow": "eyebrows", "browed": "eyebrows",
    "lip": "lips", "eye": "eyes", "eyed": "eyes", "eyelids": "eyes", "complexion": "skin",
    "skinned": "skin", "cheek": "cheeks", "cheeked": "cheeks", "cheekbone": "cheekbones",
    "nosed": "nose", "faced": "face", "lipped": "lips", "noses": "nose",
    "cheek-bones": "cheekbones", "smiles": "smile", "grin": "smile", "photo": "picture",
    "photograph": "picture", "portrait": "picture", "image": "picture", "pictures": "picture",
}  # fmt: skip
"""Other forms of the nouns."""
HAIRSTYLES = frozenset("bob ponytail ponytails braids braid bun dreadlocks plaits mane".split())
"""Nouns that adjectives of hair go with; themselves they say nothing that an attribute could."""

NEGATED_NOUNS: Mapping[str, Effects] = {
    "hair": {"Bald": 1.0},
    "hairline": {},
    "eyebrows": {"Bushy_Eyebrows": 0.0},
}
"""What `no hair` says; of other nouns alone it says nothing."""
PERSON_ADJECTIVES: Mapping[str, Effects] = effects_table("""
thin, lean, slight: Chubby=0
heavy: Chubby
""")
"""What is said of a whole person: a thin man, make her thinner; of a thin nose it says nothing."""

INTENSIFIERS = frozenset("""very really extremely quite so super particularly rather pretty totally
    completely remarkably incredibly unusually too real""".split())  # fmt: skip

ADJECTIVES = frozenset(
    """young old bald chubby fat plump stout slim skinny slender pale tanned blond attractive
    handsome beautiful pretty gorgeous lovely cute ugly blurry curly wavy serious stern grim sad
    cheerful bearded""".split()
).union(*NOUNS.values())
"""What can be compared: younger, the thinnest lips."""
PREDICATES = ADJECTIVES | frozenset(
    """smiling grinning laughing frowning beaming scowling blushing squinting balding bespectacled
    elderly aged youthful overweight obese unshaven clean-shaven beardless""".split()
)
"""What stands after a verb: it belongs to no list of nouns."""
UNCOUNTABLE = frozenset("makeup hair beard stubble lipstick mascara eyeliner".split())
"""What there can be little of: little hair, but a little boy."""
ATTACHMENTS = frozenset(
    """ring rings stud studs piercing piercings clip clips band bands pin pins patch mask shield net
    tattoo tattoos scar scars gloss liner balm filler fillers dye extensions implant implants strap
    lines stain stains oil paint tie job""".split()
)
"""Things named after what they are on: a nose ring is no nose."""

STOP_WORDS = frozenset(
    """
a an the and or but with of in on at to for from by as is are was were be been being am it its it's
this that these those there who whose which what has have had having does do did wears wear wearing
wore worn got gets i i'm i'd i've i'll me my you we they them their saw see seen look looks looked
looking seem seems seemed appear appears appeared appearance someone somebody anyone person people
individual one ones about around approximately roughly nearly almost maybe perhaps probably possibly
like some any both also just then when while year years yrs yr yo age late early mid whole all up
down over under into out suspect witness victim remember think believe guess would could might may
should will shall otherwise say says said describe described type pair sporting sported sports
showing shows show only
even still well oh please picture photo portrait image put keep keeps kept set head eyes eye hair
nose lips lip mouth skin cheeks cheek chin eyebrows eyebrow brows cheekbones face faces features
facial shaped between certainly definitely clearly sure though although however except yet noticed
approx far tell um uh er hmm hm yeah robber thief attacker mugger burglar stranger
can must much more most least any anymore before now lot lots plenty expression own mine
how plus loads either yes broadly widely w beneath below
above across than if else same each every other another his/her something anything nothing thing
things day time generate draw create me find him her he's she's he'd she'd it'd that's who's
there's s d ll re ve m t let us
everything back need needs myself yourself
""".split()
)
"""Words that need not be understood."""
