"""How a chest report puts it."""

from __future__ import annotations

from mht.phantoms.wording import Noun, Wording

_CLEAR = ("consolidation", "pulmonary edema", "atelectasis", "pulmonary nodule", "lung mass", "emphysema")

WORDING = Wording(
    openers={
        "PA": (
            "PA chest radiograph.",
            "Frontal chest radiograph, PA view.",
            "PA view of the chest.",
            "Posteroanterior chest X-ray.",
            "Chest X-ray, PA projection.",
        ),
        "AP": (
            "AP chest radiograph.",
            "Portable AP chest radiograph.",
            "AP view of the chest.",
            "Anteroposterior chest X-ray.",
            "Single frontal view of the chest, AP projection.",
        ),
        None: ("Frontal chest radiograph.",),
    },
    nouns={
        "pleural effusion": (Noun("pleural effusion", "pleural effusions"),),
        "cardiomegaly": (
            Noun("cardiomegaly"),
            Noun("cardiomegaly"),
            Noun("enlargement of the heart", use="shown"),
        ),
        "consolidation": (Noun("consolidation"), Noun("airspace consolidation")),
        "atelectasis": (Noun("atelectasis"),),
        "pulmonary edema": (Noun("pulmonary edema"),),
        "pneumothorax": (Noun("pneumothorax", "pneumothoraces"),),
        "pulmonary nodule": (
            Noun("pulmonary nodule", "pulmonary nodules"),
            Noun("lung nodule", "lung nodules"),
            Noun("nodule", "nodules"),
        ),
        "emphysema": (Noun("emphysema"), Noun("pulmonary emphysema")),
        "lung mass": (Noun("lung mass", "lung masses"), Noun("pulmonary mass", "pulmonary masses")),
        "rib fracture": (
            Noun("fracture", "fractures", use="shown"),
            Noun("rib fracture", "rib fractures", use="denied"),
        ),
        "central venous catheter": (
            Noun("central venous catheter", "central venous catheters"),
            Noun("central venous line", "central venous lines"),
        ),
        "endotracheal tube": (Noun("endotracheal tube", "endotracheal tubes"),),
        "nasogastric tube": (Noun("nasogastric tube", "nasogastric tubes"),),
        "pacemaker": (Noun("pacemaker", "pacemakers"), Noun("cardiac pacemaker", "cardiac pacemakers")),
        "sternotomy wires": (Noun("sternotomy wires", article=False),),
        "chest tube": (Noun("chest tube", "chest tubes"), Noun("chest drain", "chest drains")),
    },
    sentences={
        "cardiomegaly": (
            "The heart is {adverb} enlarged.",
            "The cardiac silhouette is {adverb} enlarged.",
            "The heart is enlarged.",
            "There is {grade} cardiomegaly.",
        ),
        "pleural effusion": (
            "{a_grade} {side} pleural effusion blunts the costophrenic angle.",
            "The {side} costophrenic angle is blunted by {a_grade} pleural effusion.",
            "{a_grade} pleural effusion is seen on the {side}.",
        ),
        "pneumothorax": (
            "{a_grade} pneumothorax is seen on the {side}.",
            "A visceral pleural line is visible on the {side}, with {a_grade} {side} pneumothorax.",
        ),
        "consolidation": (
            "The {side} {site} shows {grade} consolidation.",
            "Consolidation of the {side} {site} is {grade}.",
        ),
        "pulmonary nodule": (
            "The {side} {site} contains a nodule measuring {size}.",
            "A nodule in the {side} {site} measures {size}.",
            "The {side} {site} contains {count} nodules.",
            "{count} nodules are seen in the {side} {site}.",
        ),
        "lung mass": (
            "The {side} {site} contains a mass measuring {size}.",
            "A lung mass in the {side} {site} measures {size}.",
        ),
        "pulmonary edema": (
            "Perihilar haze shows {grade} pulmonary edema.",
            "{grade} pulmonary edema with perihilar haze.",
        ),
        "emphysema": (
            "There is {grade} emphysema with a flattened diaphragm.",
            "{grade} emphysema of both lungs is seen.",
        ),
        "rib fracture": (
            "A fracture of the {side} {site} is seen.",
            "The {side} {site} is fractured.",
        ),
        "central venous catheter": (
            "A {side} central venous catheter ends in the superior vena cava.",
            "The tip of a {side} subclavian central venous catheter projects over the superior vena cava.",
            "A {side}-sided central venous catheter is in place.",
        ),
        "endotracheal tube": (
            "The tip of the endotracheal tube lies above the carina.",
            "An endotracheal tube is in place.",
            "The patient is intubated, with the endotracheal tube above the carina.",
        ),
        "nasogastric tube": (
            "A nasogastric tube ends in the stomach.",
            "A nasogastric tube is in place.",
            "The nasogastric tube courses below the diaphragm.",
        ),
        "pacemaker": (
            "A {side} pectoral pacemaker with two leads is in place.",
            "A pacemaker projects over the {side} chest wall.",
        ),
        "sternotomy wires": (
            "Median sternotomy wires are intact.",
            "Sternotomy wires are seen in the midline.",
            "Midline sternotomy wires are present.",
        ),
        "chest tube": (
            "A {side} chest tube is in place.",
            "A chest tube is seen on the {side}.",
        ),
    },
    normal=(
        ("The heart is normal in size.", ("cardiomegaly",)),
        ("Heart size is normal.", ("cardiomegaly",)),
        ("The cardiac silhouette is normal in size.", ("cardiomegaly",)),
        ("The cardiac silhouette is not enlarged.", ("cardiomegaly",)),
        ("The lungs are clear.", _CLEAR),
        ("Both lungs are clear.", _CLEAR),
        ("The ribs are intact.", ("rib fracture",)),
        ("No rib fracture is seen.", ("rib fracture",)),
        ("No pacemaker is seen.", ("pacemaker",)),
        ("There is no endotracheal tube.", ("endotracheal tube",)),
        ("No central venous catheter is seen.", ("central venous catheter",)),
        ("The costophrenic angles are sharp, without pleural effusion.", ("pleural effusion",)),
    ),
    deniable={
        "pneumothorax": 3.0,
        "pleural effusion": 3.0,
        "consolidation": 2.5,
        "cardiomegaly": 1.2,
        "pulmonary edema": 1.5,
        "pulmonary nodule": 1.0,
        "lung mass": 0.9,
        "rib fracture": 1.0,
        "atelectasis": 0.7,
        "emphysema": 0.4,
        "pacemaker": 0.9,
        "central venous catheter": 0.9,
        "endotracheal tube": 0.9,
        "nasogastric tube": 0.9,
        "chest tube": 0.9,
    },
    adjectives={
        "base": ("basilar", "basal"),
        "apex": ("apical",),
        "bilateral base": ("bibasilar", "bilateral basilar", "bilateral basal"),
    },
    prepositions={
        "base": "at the",
        "apex": "at the",
        **{
            f"{ordinal} rib": "of the"
            for ordinal in ("third", "fourth", "fifth", "sixth", "seventh", "eighth")
        },
    },
    abbreviations={
        "right upper lobe": "RUL",
        "right middle lobe": "RML",
        "right lower lobe": "RLL",
        "left upper lobe": "LUL",
        "left lower lobe": "LLL",
        "pneumothorax": "PTX",
        "endotracheal tube": "ETT",
        "nasogastric tube": "NGT",
        "central venous catheter": "CVC",
    },
)
