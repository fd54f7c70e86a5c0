"""Words brought to one form: lower case, American digraphs, singular. Text and lexicon go through the same door."""

from __future__ import annotations

import re
from functools import lru_cache

TOKEN = re.compile(
    r"[^\W\d_]+(?:'s|’s)?|\d+(?:\.\d+)?|(?<!\w)\.\d+|(?!(?<=[^\W\d_])[-‐‑](?=[^\W\d_]))[^\w\s]"
)
"""A word, a number or a mark; a hyphen between letters only parts two words: `soft-tissue` is `soft tissue`."""

_DIGRAPHS = (
    ("haem", "hem"),
    ("aemi", "emi"),
    ("oede", "ede"),
    ("oesop", "esop"),
    ("oestr", "estr"),
    ("tumour", "tumor"),
    ("caec", "cec"),
    ("faec", "fec"),
    ("foet", "fet"),
    ("fibre", "fiber"),
    ("calibre", "caliber"),
    ("centre", "center"),
    ("colour", "color"),
    ("grey", "gray"),
    ("paed", "ped"),
    ("gynaec", "gynec"),
    ("leucaem", "leukem"),
    ("leuco", "leuko"),
    ("rrhoe", "rrhe"),
    ("coelia", "celia"),
    ("mould", "mold"),
    ("labour", "labor"),
    ("peritonaeum", "peritoneum"),
    ("dilatat", "dilat"),
)
_IRREGULAR = {
    "metastases": "metastasis",
    "diagnoses": "diagnosis",
    "stenoses": "stenosis",
    "thromboses": "thrombosis",
    "fibroses": "fibrosis",
    "atelectases": "atelectasis",
    "synostoses": "synostosis",
    "enostoses": "enostosis",
    "exostoses": "exostosis",
    "keratoses": "keratosis",
    "necroses": "necrosis",
    "arthroses": "arthrosis",
    "granulomata": "granuloma",
    "axes": "axis",
    "ectases": "ectasis",
    "anastomoses": "anastomosis",
    "pneumothoraces": "pneumothorax",
    "hydrothoraces": "hydrothorax",
    "hemothoraces": "hemothorax",
    "bullae": "bulla",
    "vertebrae": "vertebra",
    "hemivertebrae": "hemivertebra",
    "costae": "costa",
    "scapulae": "scapula",
    "maxillae": "maxilla",
    "calcanei": "calcaneus",
    "thrombi": "thrombus",
    "emboli": "embolus",
    "calculi": "calculus",
    "bronchi": "bronchus",
    "menisci": "meniscus",
    "nuclei": "nucleus",
    "naevi": "naevus",
    "nevi": "nevus",
    "sulci": "sulcus",
    "gyri": "gyrus",
    "humeri": "humerus",
    "femora": "femur",
    "tibiae": "tibia",
    "foramina": "foramen",
    "hila": "hilum",
    "ova": "ovum",
    "atria": "atrium",
    "septa": "septum",
    "phalanges": "phalanx",
    "apices": "apex",
    "cortices": "cortex",
    "cervices": "cervix",
    "adnexae": "adnexa",
    "feet": "foot",
    "teeth": "tooth",
    "varices": "varix",
    "scolices": "scolex",
    "diverticula": "diverticulum",
    "haustra": "haustrum",
    "sequestra": "sequestrum",
    "infiltrates": "infiltrate",
    "lymphomata": "lymphoma",
    "hematomata": "hematoma",
    "fibromata": "fibroma",
    "adenomata": "adenoma",
    "opacities": "opacity",
    "bodies": "body",
    "lenses": "lens",
    "biases": "bias",
    "masses": "mass",
    "abscesses": "abscess",
    "sinuses": "sinus",
    "viruses": "virus",
    "fetuses": "fetus",
    "uteruses": "uterus",
    "prostheses": "prosthesis",
    "villi": "villus",
    "conchae": "concha",
}
_MISSPELT = {
    "acites": "ascites",
    "enlargment": "enlargement",
    "hemorrage": "hemorrhage",
    "hemmorhage": "hemorrhage",
    "heamorrhage": "hemorrhage",
    "lympadenopathy": "lymphadenopathy",
    "lymphadenopathies": "lymphadenopathy",
    "efussion": "effusion",
    "effussion": "effusion",
    "embolims": "embolism",
    "enphysema": "emphysema",
    "pneumochephalus": "pneumocephalus",
    "pneumothorx": "pneumothorax",
    "calcificaton": "calcification",
    "supraspinatous": "supraspinatus",
    "medastinal": "mediastinal",
    "mediastinial": "mediastinal",
    "homogenously": "homogeneously",
    "saggital": "sagittal",
    "sagital": "sagittal",
    "hydronephrosys": "hydronephrosis",
    "abcess": "abscess",
    "aneurism": "aneurysm",
    "hematom": "hematoma",
    "enhancment": "enhancement",
    "leison": "lesion",
    "calculous": "calculus",
    "pneumopertoneum": "pneumoperitoneum",
    "diverticuli": "diverticulum",
}
PLURALS = {one: many for many, one in reversed(_IRREGULAR.items())}
_KEEP = frozenset({"pancreas", "pons", "lens", "series", "has", "was", "does", "ascites", "biceps", "triceps",
                   "quadriceps", "this", "is", "as", "its", "plus", "pus", "us", "yes", "thus", "rectus",
                   "herpes", "pres", "caries", "scabies", "facies", "ends", "ms", "less", "across",
                   "sans"})  # fmt: skip


@lru_cache(maxsize=1 << 16)
def normal(word: str) -> str:
    """The form under which a word is compared: `Haemorrhages` and `hemorrhage` are one."""
    word = word.lower()
    if word.endswith(("'s", "’s")):
        word = word[:-2]
    for british, american in _DIGRAPHS:
        if british in word:
            word = word.replace(british, american)
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word in _MISSPELT:
        return _MISSPELT[word]
    if len(word) < 4 or word[-1] != "s" or word in _KEEP or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("xes", "ches", "shes", "sses")):
        return word[:-2]
    return word[:-1]


_SPELLED_OUT = {
    "rul": ("right", "upper", "lobe"),
    "rml": ("right", "middle", "lobe"),
    "rll": ("right", "lower", "lobe"),
    "lul": ("left", "upper", "lobe"),
    "lll": ("left", "lower", "lobe"),
    "bibasilar": ("bilateral", "basilar"),
    "bibasal": ("bilateral", "basal"),
    "biapical": ("bilateral", "apical"),
    "bihilar": ("bilateral", "hilar"),
}


@lru_cache(maxsize=64)
def tokens(text: str) -> tuple[tuple[str, int, int], ...]:
    """Every token in its compared form with its start and end; an abbreviation of several words is all of them."""
    return tuple((part, *m.span()) for m in TOKEN.finditer(text) for part in _parts(m.group()))


@lru_cache(maxsize=1 << 16)
def _parts(word: str) -> tuple[str, ...]:
    compared = normal(word)
    return _SPELLED_OUT.get(compared, (compared,))


def normal_words(text: str) -> tuple[str, ...]:
    """The text's tokens, each in its compared form."""
    return tuple(part for word in TOKEN.findall(text) for part in _parts(word))
