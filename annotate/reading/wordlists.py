"""Lists of words that the rules rest on: abbreviations, words that open a sentence, titles, days.

Case counts: "Ill." is a state, "ill." ends a sentence. From the style books of AP and Reuters, and from what
syntok and nupunkt got wrong on newsmtsc, babe and polnear (train)"""

from __future__ import annotations


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


# Always followed by a name or a thing: never the end of a sentence.
BEFORE_NAMES = _words(
    """
    Mr Mrs Ms Mx Dr Prof Sen Sens Rep Reps Gov Govs Gen Col Lt Maj Capt Cpt Cmdr Cdr Sgt Cpl Pvt Adm Brig
    Hon Rev Fr Msgr Amb Pres Supt Det Insp Atty Messrs Mme Mlle St Mt Ft Asst Assoc Dept MR MRS MS DR SEN
    REP GOV GEN LT vs v cf e.g i.e viz approx ex-Gov ex-Sen ex-Rep
    """
)
# Not the end when a number follows.
BEFORE_NUMBERS = _words(
    """
    No Nos no nos p pp Fig fig Figs figs Vol vol Art art Ch ch Sec sec Op op est approx Jan Feb Mar Apr
    Jun Jul Aug Sep Sept Oct Nov Dec
    """
)
# May end a sentence; the word that follows tells.
MAY_END = _words(
    """
    Inc Corp Ltd Co Llc Plc Bros Jr Sr Esq Ph.D Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec Mon Tue
    Tues Wed Thu Thur Thurs Fri Ala Ariz Ark Calif Colo Conn Del Fla Ga Ill Ind Kan Ky La Md Mass Mich
    Minn Miss Mo Mont Neb Nev Okla Ore Pa Tenn Tex Va Vt Wash Wis Wyo Ave Blvd Rd Intl Univ
    """
)
# Follow "p.m." within a sentence.
AFTER_HOURS = _words(
    """
    Monday Tuesday Wednesday Thursday Friday Saturday Sunday Eastern Central Mountain Pacific Beijing EST
    EDT ET CST CDT CT MST MDT MT PST PDT PT GMT BST UTC CET IST
    """
)
# Words that news rarely capitalises inside a sentence.
STARTERS = _words(
    """
    a about according after again all also although among an and another any as asked at because before
    besides both but by despite during each earlier even every few finally first following for from
    furthermore given he her here his how however i if in indeed instead it it's it’s its last later like
    many meanwhile more moreover most much my neither nevertheless no none nonetheless nor not now of on
    once one only or other others our over perhaps rather recently she similarly since so some soon still
    such than that that's that’s the their then there there's there’s therefore these they this those
    though through thus to today together two under unless until we what when where whether which while
    who why with within without yesterday yet you your
    """
)
# Second halves of names on the web: "Amazon.Com" has no sentence end in it.
DOMAINS = frozenset(("Com", "Org", "Net", "Gov", "Edu", "Io", "Js"))
# Before a person's name, and no part of it.
TITLES = _words(
    """
    Mr Mrs Ms Dr President Vice Prime Foreign Minister Secretary Senator Sen Rep Gov Governor Chairman
    Chancellor King Queen Prince General Councilor Councillor State Spokesman Spokeswoman Judge Justice Sir
    """
)
# Capitalised, and nobody's name.
CALENDAR = _words(
    """
    Monday Tuesday Wednesday Thursday Friday Saturday Sunday
    January February March April May June July August September October November December
    """
)
