"""Forms of the verbs by which people ask for a change."""

_REGULAR = """remove delete erase eliminate shave wipe wash stop drop skip omit ditch scrap lack
    replace swap exchange substitute trade switch change turn add dye use trim wear grow color
    colour paint bleach want hide reduce lessen soften decrease minimize minimise tone
    straighten lighten darken sharpen""".split()
_IRREGULAR = {
    "lose": "loses lost losing", "take": "takes took taken taking", "forget": "forgot forgetting",
    "get": "gets got gotten getting", "leave": "leaves left leaving", "do": "does did done doing",
    "hold": "holds held", "cut": "cuts cutting", "quit": "quits quitting", "shave": "shaven",
    "curl": "curling",
    "wear": "wore worn", "grow": "grew grown", "give": "gives gave given giving",
    "put": "puts putting", "make": "makes made making", "keep": "keeps kept keeping",
    "let": "lets letting", "become": "becomes became becoming", "dye": "dyeing",
    "have": "has had having", "be": "is are was were been being am", "go": "goes went gone going",
}  # fmt: skip
_DOUBLED = frozenset("stop drop skip omit scrap swap trim".split())


def _regular_forms(verb: str) -> set[str]:
    stem = verb.removesuffix("e") + (verb[-1] if verb in _DOUBLED else "")
    third = verb + ("es" if verb.endswith(("sh", "ch")) else "s")
    return {third, stem + "ed", stem + "ing"}


_VERBS = {
    **{form: verb for verb, forms in _IRREGULAR.items() for form in (verb, *forms.split())},
    **{form: verb for verb in _REGULAR for form in (verb, *_regular_forms(verb))},
}


def verb_of(word: str) -> str | None:
    """The infinitive of a form such as `removed` or `took`, `None` for other words."""
    return _VERBS.get(word)
