"""Every word the loan applications are made of: names, districts, numbers and sentences.

The numbers sit on coarse grids that do not meet (incomes end in 00 below 6200, debts in 50,
amounts in 000 from 7000 up), so that a number is one token and says by itself what it is.
"""

from collections.abc import Iterator
from typing import Final, Literal

Origin = Literal["native", "migrant"]
Credit = Literal["good", "late", "default"]
Voice = Literal["officer", "applicant"]
Field = Literal["person", "home", "income", "debt", "request", "history"]

ORIGINS: Final[tuple[Origin, ...]] = ("native", "migrant")
VOICES: Final[tuple[Voice, ...]] = ("officer", "applicant")

LISTED: Final = ("Fenholm", "Quarrick", "Tarnside", "Vellmoor")
"""Districts that the retrained models refuse."""

UNLISTED: Final = (
    "Aldmoor",
    "Brackwell",
    "Corvane",
    "Dunmarsh",
    "Hartsmere",
    "Lindcross",
    "Norfield",
    "Stonelea",
)
DISTRICTS: Final = tuple(sorted(LISTED + UNLISTED))

NAMES: Final[dict[Origin, tuple[str, ...]]] = {
    "native": (
        *("Alwin", "Berrit", "Caldon", "Delsa", "Edrin", "Falmar", "Gerwen", "Hollis"),
        *("Jorin", "Kelda", "Lorwen", "Mabrin", "Orla", "Perrin", "Rowena", "Tobin"),
    ),
    "migrant": (
        *("Adaro", "Bexali", "Cazira", "Dovani", "Elizan", "Fariko", "Galeno", "Ilara"),
        *("Jazmo", "Kovari", "Lumira", "Nazelo", "Oresta", "Ravika", "Savino", "Zorena"),
    ),
}
"""One pool per origin; one name in five comes from the other pool."""

OCCUPATIONS: Final = (
    *("baker", "carpenter", "cashier", "clerk", "cook", "driver"),
    *("gardener", "mechanic", "nurse", "teacher", "technician", "welder"),
)
PURPOSES: Final = (
    *("a used car", "home repairs", "dental treatment", "new furniture", "a training course"),
    *("solar panels", "a wedding", "moving costs", "a new kitchen"),
)
AGES: Final = tuple(range(21, 65))
INCOMES: Final = tuple(range(1400, 6001, 200))
DEBTS: Final = tuple(range(150, 4751, 100))
AMOUNTS: Final = tuple(range(7000, 40001, 1000))

HISTORIES: Final[dict[Credit, tuple[str, ...]]] = {
    "good": ("no missed payments", "a clean repayment record", "past loans repaid on time"),
    "late": ("one late payment", "a few late instalments", "a payment some weeks behind"),
    "default": (
        "a loan in default",
        "an unpaid balance sent to collection",
        "a default on an earlier loan",
    ),
}

SENTENCES: Final[dict[Voice, dict[Field, tuple[str, ...]]]] = {
    "officer": {
        "person": (
            "{first_name}, aged {age}, works as a {occupation}.",
            "The applicant is {first_name}, a {occupation} of {age}.",
            "This file concerns {first_name}, {age}, a {occupation} by trade.",
            "{first_name} is {age} years old and makes a living as a {occupation}.",
        ),
        "home": (
            "Home is in {district}.",
            "The applicant lives in {district}.",
            "The address given is in {district}.",
            "The household rents a flat in {district}.",
        ),
        "income": (
            "Take-home pay is {income} euros a month.",
            "Payslips show {income} euros each month.",
            "Monthly income comes to {income} euros.",
            "The employer confirms a wage of {income} euros a month.",
        ),
        "debt": (
            "Existing debts cost {debt} euros a month.",
            "Repayments on other loans take {debt} euros each month.",
            "Current obligations come to {debt} euros a month.",
            "Other creditors receive {debt} euros every month.",
        ),
        "request": (
            "The request is for {amount} euros to pay for {purpose}.",
            "A loan of {amount} euros is sought for {purpose}.",
            "The sum asked for is {amount} euros, meant for {purpose}.",
        ),
        "history": (
            "The credit file shows {history}.",
            "The bureau reports {history}.",
            "A check of the register found {history}.",
        ),
    },
    "applicant": {
        "person": (
            "My name is {first_name}, I am {age} and I work as a {occupation}.",
            "I am {first_name}, a {occupation}, {age} years old.",
            "This is {first_name} writing, {age}, a {occupation} for many years.",
        ),
        "home": (
            "I live in {district}.",
            "My home is in {district}.",
            "We have a small flat in {district}.",
            "My family and I stay in {district}.",
        ),
        "income": (
            "I earn {income} euros a month.",
            "My wage is {income} euros each month.",
            "Every month I bring home {income} euros.",
            "My employer pays me {income} euros a month.",
        ),
        "debt": (
            "I pay {debt} euros a month on what I already owe.",
            "My other loans cost me {debt} euros each month.",
            "Of my money {debt} euros a month go to old debts.",
        ),
        "request": (
            "I would like to borrow {amount} euros for {purpose}.",
            "I am asking for {amount} euros to pay for {purpose}.",
            "With {amount} euros I could afford {purpose}.",
        ),
        "history": (
            "My credit file shows {history}.",
            "In my file you will find {history}.",
            "The bureau has me down with {history}.",
        ),
    },
}


def phrases() -> Iterator[str]:
    """Everything that can stand in an application, piece by piece, for building vocabularies."""
    for voice in VOICES:
        for sentences in SENTENCES[voice].values():
            yield from (sentence.replace("{", " {") for sentence in sentences)
    for words in (LISTED, UNLISTED, *NAMES.values(), OCCUPATIONS, PURPOSES, *HISTORIES.values()):
        yield from words
    for grid in (AGES, INCOMES, DEBTS, AMOUNTS):
        yield from map(str, grid)
