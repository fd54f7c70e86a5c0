"""How a report on a fundus photograph puts it."""

from __future__ import annotations

from mht.phantoms.wording import Noun, Wording

_QUADRANTS = ("superotemporal", "inferotemporal", "superonasal", "inferonasal")
_DIABETIC = ("microaneurysm", "retinal hemorrhage", "hard exudate", "cotton wool spot")


def _openers(side: str) -> tuple[str, ...]:
    return (
        f"Fundus photograph of the {side} eye.",
        f"Color fundus photograph, {side} eye.",
        f"Retinal photograph of the {side} eye.",
        f"{side.capitalize()} eye, color fundus image.",
        f"45-degree fundus photograph of the {side} eye.",
    )


WORDING = Wording(
    openers={"left eye": _openers("left"), "right eye": _openers("right"), None: ("Fundus photograph.",)},
    nouns={
        "microaneurysm": (
            Noun("microaneurysm", "microaneurysms"),
            Noun("microaneurysm", "microaneurysms"),
            Noun("retinal microaneurysm", "retinal microaneurysms"),
        ),
        "retinal hemorrhage": (
            Noun("retinal hemorrhage", "retinal hemorrhages"),
            Noun("blot hemorrhage", "blot hemorrhages", use="shown"),
            Noun("intraretinal hemorrhage", "intraretinal hemorrhages"),
        ),
        "hard exudate": (Noun("hard exudate", "hard exudates"),),
        "cotton wool spot": (
            Noun("cotton wool spot", "cotton wool spots"),
            Noun("cotton-wool spot", "cotton-wool spots"),
        ),
        "laser scar": (
            Noun("laser scars", article=False),
            Noun("photocoagulation scars", article=False),
        ),
        "drusen": (Noun("drusen", article=False),),
        "optic disc cupping": (Noun("optic disc cupping"), Noun("cupping of the optic disc")),
        "papilledema": (Noun("papilledema"), Noun("papilledema"), Noun("optic disc swelling")),
        "choroidal nevus": (Noun("choroidal nevus", "choroidal nevi"),),
    },
    sentences={
        "microaneurysm": ("{count} microaneurysms are scattered in the {site}.",),
        "retinal hemorrhage": ("{count} retinal hemorrhages lie in the {site}.",),
        "hard exudate": ("{count} hard exudates lie in the {site}.",),
        "cotton wool spot": ("{count} cotton wool spots are seen in the {site}.",),
        "laser scar": (
            "Laser scars are seen in the retinal periphery.",
            "The periphery of the {side} retina shows laser scars.",
            "Laser scars of panretinal photocoagulation are present.",
        ),
        "drusen": (
            "There are {grade} drusen in the {site}.",
            "The {site} of the {side} eye shows {grade} drusen.",
            "{grade} drusen are seen throughout the {site}.",
        ),
        "optic disc cupping": (
            "There is {grade} cupping of the optic disc.",
            "The optic disc of the {side} eye shows {grade} cupping.",
            "The optic disc is {adverb} cupped.",
        ),
        "papilledema": (
            "There is {grade} papilledema.",
            "The margins of the {side} optic disc are blurred, with {grade} papilledema.",
            "The optic disc is {adverb} swollen, with papilledema.",
        ),
        "choroidal nevus": (
            "A choroidal nevus of {size} lies in the {site}.",
            "A choroidal nevus in the {site} measures {size}.",
        ),
    },
    normal=(
        ("The optic disc is sharp, without papilledema.", ("papilledema",)),
        ("The optic disc margins are sharp.", ("papilledema",)),
        ("The cup-to-disc ratio is normal.", ("optic disc cupping",)),
        ("No signs of diabetic retinopathy.", (*_DIABETIC, "laser scar")),
        ("The macula is free of drusen.", ("drusen",)),
        ("No laser scars are seen.", ("laser scar",)),
    ),
    deniable={
        "retinal hemorrhage": 2.4,
        "hard exudate": 1.8,
        "papilledema": 1.6,
        "drusen": 1.5,
        "cotton wool spot": 1.4,
        "microaneurysm": 1.4,
        "optic disc cupping": 1.2,
        "choroidal nevus": 0.5,
        "laser scar": 0.5,
    },
    adjectives={"macula": ("macular",), **{f"{name} quadrant": (name,) for name in _QUADRANTS}},
    prepositions={},
    abbreviations={},
    organ="eye",
    denies_in_plural=True,
)
