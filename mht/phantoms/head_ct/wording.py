"""How a head CT report puts it."""

from __future__ import annotations

from mht.phantoms.head_ct.content import HEMORRHAGES
from mht.phantoms.wording import Noun, Wording

_AXIAL = (
    "Axial CT of the head.",
    "Axial CT image of the brain.",
    "CT head at the level of the lateral ventricles.",
)

WORDING = Wording(
    openers={
        "axial unenhanced": (
            *_AXIAL,
            "Non-contrast axial CT of the head.",
            "Axial non-contrast CT of the head.",
            "Noncontrast head CT, axial image.",
            "Axial unenhanced CT of the brain.",
            "CT of the brain without contrast, axial slice.",
        ),
        "axial contrast-enhanced": (
            *_AXIAL,
            "Contrast-enhanced axial head CT.",
            "Axial contrast-enhanced CT of the head.",
            "Axial post-contrast CT of the brain.",
            "Head CT with contrast, axial image.",
            "Contrast-enhanced CT of the brain, axial slice.",
        ),
        None: ("CT of the head.",),
    },
    nouns={
        "subdural hematoma": (
            Noun("subdural hematoma", "subdural hematomas"),
            Noun("subdural hematoma", "subdural hematomas"),
            Noun("subdural hemorrhage", "subdural hemorrhages"),
        ),
        "epidural hematoma": (
            Noun("epidural hematoma", "epidural hematomas"),
            Noun("extradural hematoma", "extradural hematomas"),
        ),
        "intraparenchymal hemorrhage": (
            Noun("intraparenchymal hemorrhage", "intraparenchymal hemorrhages"),
            Noun("intracerebral hemorrhage", "intracerebral hemorrhages"),
            Noun("parenchymal hemorrhage", "parenchymal hemorrhages"),
        ),
        "subarachnoid hemorrhage": (Noun("subarachnoid hemorrhage"),),
        "intraventricular hemorrhage": (Noun("intraventricular hemorrhage"),),
        "infarct": (
            Noun("infarct", "infarcts"),
            Noun("infarction", "infarctions"),
            Noun("cerebral infarct", "cerebral infarcts"),
        ),
        "cerebral atrophy": (Noun("cerebral atrophy"), Noun("brain atrophy")),
        "hydrocephalus": (Noun("hydrocephalus"),),
        "intracranial mass": (
            Noun("mass", "masses", use="shown"),
            Noun("intracranial mass", "intracranial masses"),
        ),
        "calcification": (
            Noun("calcification", "calcifications"),
            Noun("intracranial calcification", "intracranial calcifications", use="denied"),
        ),
        "vasogenic edema": (Noun("vasogenic edema"),),
        "midline shift": (Noun("midline shift", use="denied"),),
        "skull fracture": (
            Noun("skull fracture", "skull fractures"),
            Noun("calvarial fracture", "calvarial fractures"),
        ),
        "scalp hematoma": (Noun("scalp hematoma", "scalp hematomas"),),
        "ventriculoperitoneal shunt": (
            Noun("ventriculoperitoneal shunt", "ventriculoperitoneal shunts"),
            Noun("ventricular shunt", "ventricular shunts"),
        ),
    },
    sentences={
        "subdural hematoma": (
            "{a_grade} subdural hematoma overlies the {side} hemisphere.",
            "A {side} subdural hematoma measures {size} in thickness.",
            "A crescentic {side} subdural hematoma is up to {size} thick.",
            "{a_grade} {side} convexity subdural hematoma is seen, {size} in thickness.",
        ),
        "epidural hematoma": (
            "A biconvex epidural hematoma in the {side} {site} measures {size} in thickness.",
            "A lentiform {side} epidural hematoma is up to {size} thick.",
        ),
        "intraparenchymal hemorrhage": (
            "An intraparenchymal hemorrhage measuring {size} is centred in the {side} {site}.",
            "An intraparenchymal hemorrhage in the {side} {site} measures {size}.",
        ),
        "subarachnoid hemorrhage": (
            "There is {grade} subarachnoid hemorrhage in the {side} cerebral sulci.",
            "{grade} subarachnoid hemorrhage fills the {side} sulci.",
        ),
        "infarct": (
            "{a_grade} infarct involves the {side} {site}.",
            "The {side} {site} shows {a_grade} infarct.",
            "Loss of grey-white differentiation in the {side} {site} represents {a_grade} infarct.",
        ),
        "cerebral atrophy": (
            "There is {grade} generalized cerebral atrophy.",
            "The sulci are widened with {grade} cerebral atrophy.",
        ),
        "hydrocephalus": (
            "The lateral ventricles are {adverb} dilated, with {grade} hydrocephalus.",
            "There is {grade} hydrocephalus.",
        ),
        "intracranial mass": (
            "The {side} {site} contains a mass measuring {size}.",
            "A mass in the {side} {site} measures {size}.",
        ),
        "calcification": ("Calcification of the {side} {site} is noted.", "The {side} {site} is calcified."),
        "vasogenic edema": (
            "{grade} vasogenic edema is seen in the {side} hemisphere.",
            "There is {grade} surrounding vasogenic edema on the {side}.",
        ),
        "midline shift": (
            "There is midline shift of {size} to the {side}.",
            "The midline is shifted {size} to the {side}.",
            "There is {size} of midline shift to the {side}.",
            "Midline shift to the {side} measures {size}.",
            "Midline shift to the {side}, {size}.",
            "Midline shift of {size} to the {side}.",
        ),
        "skull fracture": (
            "A fracture line crosses the skull on the {side}.",
            "The {side} calvarium is fractured.",
        ),
        "scalp hematoma": ("Swelling of the {side} scalp represents a scalp hematoma.",),
        "ventriculoperitoneal shunt": (
            "A {side} ventriculoperitoneal shunt ends in the lateral ventricle.",
            "A {side} ventriculoperitoneal shunt is in place.",
        ),
        "intraventricular hemorrhage": (
            "{a_grade} amount of intraventricular hemorrhage layers in the occipital horns.",
            "There is {a_grade} amount of intraventricular hemorrhage.",
        ),
    },
    normal=(
        ("The midline is not shifted.", ("midline shift",)),
        ("Midline structures are in place, without midline shift.", ("midline shift",)),
        ("The ventricles are not dilated.", ("hydrocephalus",)),
        ("The ventricles are normal in size, without hydrocephalus.", ("hydrocephalus",)),
        ("The skull is intact.", ("skull fracture",)),
        ("The calvarium is intact.", ("skull fracture",)),
        ("No intracranial hemorrhage.", HEMORRHAGES),
        ("There is no intracranial hemorrhage.", HEMORRHAGES),
        ("No ventriculoperitoneal shunt is seen.", ("ventriculoperitoneal shunt",)),
    ),
    deniable={
        "midline shift": 2.5,
        "subdural hematoma": 1.5,
        "epidural hematoma": 0.8,
        "intraparenchymal hemorrhage": 1.0,
        "subarachnoid hemorrhage": 1.4,
        "intraventricular hemorrhage": 0.8,
        "infarct": 1.6,
        "hydrocephalus": 1.6,
        "intracranial mass": 1.6,
        "skull fracture": 1.2,
        "scalp hematoma": 0.4,
        "vasogenic edema": 0.4,
        "calcification": 0.3,
        "cerebral atrophy": 0.4,
    },
    adjectives={
        "frontal lobe": ("frontal",),
        "temporal lobe": ("temporal",),
        "parietal lobe": ("parietal",),
        "occipital lobe": ("occipital",),
        "basal ganglia": ("basal ganglia",),
        "thalamus": ("thalamic",),
        "temporal region": ("temporal",),
        "parietal region": ("parietal",),
    },
    prepositions={},
    abbreviations={
        "subdural hematoma": "SDH",
        "epidural hematoma": "EDH",
        "subarachnoid hemorrhage": "SAH",
        "intraventricular hemorrhage": "IVH",
        "ventriculoperitoneal shunt": "VP shunt",
    },
)
