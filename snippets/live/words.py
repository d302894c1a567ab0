"""The words that the live model is asked about: lists of our own, short and common."""


def listed(text: str) -> list[str]:
    return text.split()


def paired(text: str) -> dict[str, str]:
    """a:b c:d as {a: b, c: d}."""
    return dict(pair.split(":") for pair in text.split())


NOUNS = listed("""dog cat horse bird tree house car book lamp river garden door window song king road shoe hat
    ring star ship farm egg hill""")

CAPITALS = paired("""France:Paris Italy:Rome Spain:Madrid Germany:Berlin England:London Russia:Moscow
    Japan:Tokyo China:Beijing Egypt:Cairo Greece:Athens Poland:Warsaw Austria:Vienna Portugal:Lisbon
    Ireland:Dublin Norway:Oslo Sweden:Stockholm Finland:Helsinki Cuba:Havana Kenya:Nairobi Canada:Ottawa
    Peru:Lima Iraq:Baghdad Iran:Tehran Syria:Damascus""")

CONTINENTS = {
    "Europe": listed("""France Italy Spain Germany England Russia Greece Poland Austria Portugal Ireland Norway
        Sweden Finland"""),
    "Asia": listed("Japan China Iraq Iran Syria"),
    "Africa": listed("Egypt Kenya"),
    "America": listed("Cuba Canada Peru"),
}

OPPOSITES = paired("""hot:cold big:small up:down day:night open:closed good:bad fast:slow high:low left:right
    young:old rich:poor light:dark hard:soft early:late strong:weak full:empty happy:sad near:far
    wet:dry new:ancient long:short true:false inside:outside first:last""")

# --8<-- [start:tasks]
TASKS = {
    "capital": CAPITALS,
    "continent": {x: y for y, all_x in CONTINENTS.items() for x in all_x},
    "plural": {noun: f"{noun}s" for noun in NOUNS},
    "upper case": {noun: noun.upper() for noun in NOUNS},
    "opposite": OPPOSITES,
}
# the task whose vector is put in for comparison; the first four share their inputs
OTHER = {
    "capital": "continent",
    "continent": "capital",
    "plural": "upper case",
    "upper case": "plural",
    "opposite": "plural",
}
# --8<-- [end:tasks]

# Two kinds of things, to be told apart by a label.
KINDS = {
    "animal": listed(
        "dog cat horse bird fish cow pig goat duck mouse lion bear wolf fox frog"
    ),
    "fruit": listed(
        "apple banana orange grape cherry lemon peach plum mango melon pear lime fig kiwi berry"
    ),
}
UNSEEN = ("dax", "wug")  # labels that mean nothing

DAX = "A dax is red.\nA wug is blue.\nA dax is"
DAX_ALONE = "A dax is"
COLOURS = ("red", "blue")
