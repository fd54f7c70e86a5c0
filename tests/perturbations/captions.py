"""Captions written so that every kind of hallucination finds something to make false, and phantoms' beside them."""

from __future__ import annotations

from functools import lru_cache

from mht.knowledge.facts import read_facts
from mht.phantoms.caption import caption_rng, describe
from mht.phantoms.scene import KINDS, draw_scene
from mht.records import Reading

CAPTIONS = (
    "Chest radiograph. Small left pleural effusion. No pneumothorax or cardiomegaly.",
    "Moderate consolidation in the right lower lobe; the heart is enlarged. No pleural effusion.",
    "CT of the abdomen. A large renal cyst in the left kidney. No hydronephrosis. Severe fatty liver.",
    "MRI of the brain: mild cerebral oedema in the left frontal lobe, with midline shift. No haemorrhage.",
    "Fundus photograph of the left eye. Mild optic disc cupping. No drusen or papilloedema.",
    "Blood smear with schistocytes and blast cells. No malaria parasites.",
    "The lungs are clear. Heart size is normal. Complete tear of the supraspinatus tendon on the right.",
    "Focal stenosis of the left internal carotid artery at C3. No aneurysm.",
    "Bilateral pleural effusions and diffuse interstitial thickening. Possible pneumonia.",
    "A left rib fracture and a right rib fracture. Partial atelectasis at the left lung base.",
    "Axial T2-weighted MR image of the brain. A well-defined hyperintense mass of 2.5 cm in the right temporal lobe.",
    "PA chest radiograph. A single 8 mm nodule in the left upper lobe. An endotracheal tube. No pacemaker.",
    "CT of the chest with contrast. Multiple ill-defined nodules that have increased since the previous study.",
    "Clinical photograph: a red lesion with irregular border on the left arm.",
    "Follow-up radiograph. The left pleural effusion has decreased. No chest tube.",
    "Lateral radiograph of the knee. Displaced fracture of the patella, no joint effusion.",
    "Ultrasound of the thyroid: a hypoechoic solid nodule of 12 mm, no calcification.",
    "Three yellow polyps in the sigmoid colon on colonoscopy.",
)


@lru_cache(maxsize=1)
def written() -> tuple[Reading, ...]:
    """The readings of the captions above."""
    return tuple(map(read_facts, CAPTIONS))


@lru_cache(maxsize=1)
def drawn() -> tuple[Reading, ...]:
    """The readings of 300 phantoms' captions."""
    scenes = (draw_scene(kind, index, 3) for index in range(75) for kind in KINDS)
    return tuple(read_facts(describe(scene, caption_rng(scene))) for scene in scenes)
