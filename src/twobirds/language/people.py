"""Words for people, as values of the attributes Male and Young."""

from twobirds.language.lexicon import Effects, effects_table

_PEOPLE = effects_table("""
male, guy, fella, bloke, chap, dude, fellow, mister, mr, gent, bachelor: Male
father, dad, daddy, husband, boyfriend, brother, son, uncle, nephew, bridegroom, groom: Male
king, prince, emperor, duke, lord, earl, baron, monk, friar, widower, patriarch: Male
female, lady, gal, ladies, miss, mrs, ms, bachelorette, ballerina, damsel: Male=0
mother, mum, mom, mommy, mummy, wife, girlfriend, sister, daughter, aunt, auntie, niece: Male=0
waitress, actress, stewardess, hostess, seamstress, heiress, goddess, priestess, abbess: Male=0
queen, princess, empress, duchess, countess, baroness, nun, widow, bride, matriarch: Male=0
boy, lad, schoolboy, choirboy: Male Young
girl, lass, schoolgirl, maiden: Male=0 Young
grandfather, grandpa, granddad, grandad: Male Young=0
grandmother, grandma, granny, gran, nan: Male=0 Young=0
teen, teenager, adolescent, child, children, kid, youngster, youth, juvenile, student: Young
baby, babies, infant, toddler, newborn, preteen, tween, schoolchild, schoolkid, pupil: Young
pensioner, senior, retiree, elder, quinquagenarian, sexagenarian: Young=0
septuagenarian, octogenarian, nonagenarian, centenarian: Young=0
""")
_ENDINGS = effects_table("""
woman, women, mother, sister, daughter, wife, girl, girlfriend, lady, ladies: Male=0
man, men, father, brother, husband, boy, boyfriend: Male
""")
"""Last parts of compounds, such as policeman, godmother and landlady; the first that fits."""
_NO_PERSONS_ENDINGS = ("human", "midwife")
_NOT_MEN = frozenset(
    """abdomen acumen amen bitumen caiman german hymen lumen norman omen ottoman ramen regimen
    roman semen shaman snowmen snowman specimen stamen talisman yemen""".split()
)


def person_effects(word: str) -> Effects | None:
    """What a word for a person says of sex and age, `None` for all other words.

    Args:
        word: Lower case; its last part counts, as in `fireman`, `ex-wife` and `step-mother`.
    """
    word = word.rpartition("-")[2]
    if word in _NOT_MEN or word.endswith(_NO_PERSONS_ENDINGS):
        return None
    for form in (word, word.removesuffix("s")):
        if form in _PEOPLE:
            return _PEOPLE[form]
        for ending, effects in _ENDINGS.items():
            if form.endswith(ending):
                return effects
    return None
