"""How a smear report puts it."""

from __future__ import annotations

from mht.phantoms.wording import Noun, Wording

_WHITE = ("blast",)
_RED = ("anisocytosis", "hypochromia", "schistocyte", "sickle cell", "target cell")

WORDING = Wording(
    openers={
        None: (
            "Peripheral blood smear.",
            "Peripheral blood film.",
            "Blood smear, oil immersion field.",
            "Wright-stained peripheral blood smear.",
            "Single high-power field of a blood smear.",
            "Microscopy of a peripheral blood smear.",
        ),
    },
    nouns={
        "neutrophil": (
            Noun("neutrophil", "neutrophils"),
            Noun("segmented neutrophil", "segmented neutrophils", use="shown"),
        ),
        "lymphocyte": (Noun("lymphocyte", "lymphocytes"),),
        "monocyte": (Noun("monocyte", "monocytes"),),
        "eosinophil": (Noun("eosinophil", "eosinophils"),),
        "blast": (Noun("blast", "blasts"), Noun("blast cell", "blast cells")),
        "platelet": (Noun("platelet", "platelets"),),
        "schistocyte": (
            Noun("schistocyte", "schistocytes"),
            Noun("schistocyte", "schistocytes"),
            Noun("fragmented red cell", "fragmented red cells"),
        ),
        "target cell": (Noun("target cell", "target cells"), Noun("codocyte", "codocytes")),
        "sickle cell": (Noun("sickle cell", "sickle cells"), Noun("sickled red cell", "sickled red cells")),
        "malaria parasite": (
            Noun("malaria parasite", "malaria parasites"),
            Noun("malarial ring form", "malarial ring forms", use="shown"),
        ),
        "anisocytosis": (Noun("anisocytosis"),),
        "hypochromia": (Noun("hypochromia"),),
    },
    sentences={
        "neutrophil": (
            "The field holds {count} neutrophils.",
            "{count} neutrophils with segmented nuclei are seen.",
        ),
        "lymphocyte": (
            "The field holds {count} lymphocytes.",
            "{count} small lymphocytes with a thin rim of cytoplasm are seen.",
        ),
        "eosinophil": ("{count} eosinophils with coarse orange granules are seen.",),
        "blast": (
            "{count} blasts with a high nuclear to cytoplasmic ratio are seen.",
            "The field holds {count} blasts with pale nucleoli.",
        ),
        "platelet": ("{count} platelets lie between the red cells.", "The field holds {count} platelets."),
        "schistocyte": (
            "{count} schistocytes, among them helmet cells, are seen.",
            "Red cell fragmentation with {count} schistocytes.",
        ),
        "target cell": ("{count} red cells are target cells.", "The field holds {count} target cells."),
        "sickle cell": ("{count} red cells are sickle cells.", "The field holds {count} sickle cells."),
        "malaria parasite": (
            "{count} red cells contain malaria parasites.",
            "Ring forms of {count} malaria parasites lie inside red cells.",
        ),
        "anisocytosis": (
            "There is {grade} anisocytosis.",
            "The red cells vary in size, with {grade} anisocytosis.",
        ),
        "hypochromia": (
            "There is {grade} hypochromia.",
            "The red cells have enlarged central pallor, with {grade} hypochromia.",
        ),
    },
    normal=(
        ("Red cell size and staining are normal.", ("anisocytosis", "hypochromia")),
        ("The red cells are normal in shape.", ("schistocyte", "sickle cell", "target cell")),
        ("Red cell morphology is normal.", _RED),
        ("No abnormal white cells are seen.", _WHITE),
        ("The red cells are normochromic.", ("hypochromia",)),
        ("The red cells are uniform in size.", ("anisocytosis",)),
    ),
    deniable={
        "blast": 2.5,
        "schistocyte": 2.0,
        "malaria parasite": 2.0,
        "sickle cell": 1.3,
        "target cell": 1.2,
        "anisocytosis": 0.9,
        "hypochromia": 0.9,
        "eosinophil": 0.7,
        "monocyte": 0.5,
        "neutrophil": 0.4,
        "lymphocyte": 0.4,
        "platelet": 0.3,
    },
    adjectives={},
    prepositions={},
    abbreviations={},
    denies_in_plural=True,
)
