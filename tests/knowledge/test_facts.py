"""Sentences of our own with what they state: finding, presence, side, site, severity."""

from __future__ import annotations

import pytest

from mht.knowledge.facts import modality_of, read_facts

# caption | finding, presence(+ - ?), side, site, severity; - stands for unsaid; findings not listed must not be read
MARKED = """
There is a small left-sided pleural effusion. | pleural effusion + left - small
A large right pneumothorax is present. | pneumothorax + right - large
No pneumothorax. | pneumothorax -
No pleural effusion or pneumothorax. | pleural effusion - ; pneumothorax -
No consolidation, effusion or pneumothorax is seen. | consolidation - ; pleural effusion - ; pneumothorax -
No effusion, the heart is enlarged. | pleural effusion - ; cardiomegaly +
The heart is mildly enlarged. | cardiomegaly + - - mild
Heart size is normal. | normal heart size +
The lungs are clear. | clear lungs +
Without evidence of a rib fracture. | rib fracture -
There is no evidence of intracranial haemorrhage. | intracranial haemorrhage -
Cardiomegaly without pulmonary oedema. | cardiomegaly + ; pulmonary oedema -
Consolidation in the right lower lobe. | consolidation + right lower_lobe -
Atelectasis at the left lung base with a small effusion. | atelectasis + left lung_base ; pleural effusion + - - small
The left kidney contains a simple cyst. | renal cyst + left - -
A stone in the right ureter with moderate hydronephrosis. | ureteric stone + right ; hydronephrosis + - - moderate
Possible pneumonia in the right upper lobe. | pneumonia ? right upper_lobe -
Findings suspicious for malignancy. | malignancy ?
Pulmonary embolism cannot be excluded. | pulmonary embolism ?
Abscess versus haematoma. | abscess ? ; haematoma ?
Pneumothorax is not seen. | pneumothorax -
The pneumothorax has resolved. | pneumothorax -
A fracture is ruled out. | fracture -
Negative for appendicitis. | appendicitis -
The abdomen is free of ascites. | ascites -
Absence of lymphadenopathy. | lymphadenopathy -
No change in the left pleural effusion. | pleural effusion + left
Not only a pleural effusion but a pneumothorax is seen. | pleural effusion + ; pneumothorax +
Status post resection of a meningioma. | meningioma ?
History of lung cancer; there is a nodule in the left upper lobe. | lung cancer ? ; lung nodule + left upper_lobe
Bilateral pleural effusions. | pleural effusion + bilateral
Left and right rib fractures. | rib fracture + bilateral
Bibasilar atelectasis. | atelectasis + bilateral lung_base -
A mass in the head of the pancreas. | pancreatic mass + - pancreatic_head -
A mass in the liver measuring 3.5 cm. | liver mass +
An infarct in the left parietal lobe. | cerebral infarct + left parietal_lobe -
Subdural haematoma on the right. | subdural haematoma + right
A left subdural hemorrhage with midline shift to the right. | subdural haematoma + left ; midline shift +
Enlarged liver and spleen. | hepatomegaly +
The spleen is enlarged. | splenomegaly +
Compression fracture of L1. | vertebral compression fracture + - L1 -
Disc herniation at L4-L5. | disc herniation + - L4-L5 -
Severe stenosis of the left internal carotid artery. | stenosis + left carotid_artery severe
Fracture of the distal radius. | fracture + - radius -
Tear of the medial meniscus. | tendon tear + - ?
Endotracheal tube in place, but no chest tube. | endotracheal tube + ; chest tube -
A right central venous catheter ends in the superior vena cava. | central venous catheter + right superior_vena_cava -
LLL pneumonia. | pneumonia + left lower_lobe -
No mass within the liver; the gallbladder holds a stone. | liver mass - ; gallstone +
No air within the abscess. | abscess +
The disc is sharp, without papilledema. | papilloedema -
Hard exudates in the macula and cotton-wool spots. | hard exudates + - macula - ; cotton wool spots +
Three schistocytes; no blasts. | schistocytes + ; blast cells -
Malaria parasites inside red blood cells. | malaria parasites + ; red blood cells +
Oedema of the brain. | cerebral oedema +
Edema of the brain. | cerebral oedema +
A ring-like appearance, thrombus-like filling defect. | thrombus ? ; filling defect +
The left lung shows consolidation. | consolidation + left lung -
Aneurysm of the abdominal aorta with thrombus. | aortic aneurysm + - abdominal_aorta - ; thrombus +
Multiple gallstones are seen, whereas the bile ducts are not dilated. | gallstone + ; bile duct dilatation -
Moderate ascites. | ascites + - - moderate
The effusion is small. | effusion + - - small
A nodule of the left thyroid lobe. | thyroid nodule + left
Osteolytic lesion in the right iliac bone. | bone lesion + right iliac_bone -
Calcified uterine fibroid. | uterine fibroid +
Ovarian cyst on the left. | ovarian cyst + left
Ectopic pregnancy in the right adnexa. | ectopic pregnancy + right adnexa
No acute fracture or dislocation. | fracture - ; dislocation -
Neither effusion nor consolidation. | effusion - ; consolidation -
The tip of the nasogastric tube lies in the stomach. | nasogastric tube + - stomach
Diffuse cerebral atrophy. | cerebral atrophy + - - diffuse
Mild generalised cerebral atrophy. | cerebral atrophy + - - mild
Likely haemangioma in the right hepatic lobe. | haemangioma ? - right_hepatic_lobe -
Partial tear of the supraspinatus tendon. | tendon tear + - supraspinatus_tendon partial
Anterior mediastinal mass. | mediastinal mass + - anterior_mediastinum -
Joint effusion of the left knee. | joint effusion + left knee -
Filling defect in the right pulmonary artery consistent with pulmonary embolism. | filling defect + right pulmonary_artery - ; pulmonary embolism +
Sinusitis of the left maxillary sinus. | sinusitis + left maxillary_sinus -
Cholecystitis with gallbladder wall thickening. | cholecystitis + ; gallbladder wall thickening +
"""  # noqa: E501
SIGNS = {"+": "present", "-": "absent", "?": "uncertain"}
FIELDS = ("side", "site", "severity")


def _marked() -> list[tuple[str, list[tuple[str, str, list[str]]]]]:
    rows = []
    for line in MARKED.strip().splitlines():
        caption, _, stated = line.rpartition(" | ")
        facts = []
        for part in stated.split(" ; "):
            words = part.split()
            sign = next(i for i, word in enumerate(words) if word in SIGNS)
            details = [word.replace("_", " ") for word in words[sign + 1 :]]
            facts.append((" ".join(words[:sign]), SIGNS[words[sign]], details))
        rows.append((caption, facts))
    return rows


def _hits(caption: str, stated: list[tuple[str, str, list[str]]]) -> tuple[int, int, list[str]]:
    """Facts found with finding and presence, facts read in all, and details that are wrong."""
    facts = list(read_facts(caption).facts)
    found, wrong = 0, []
    for finding, presence, details in stated:
        fact = next((f for f in facts if (f.finding, f.presence) == (finding, presence)), None)
        if fact is None:
            wrong.append(f"{caption} misses {finding} {presence}: {[(f.finding, f.presence) for f in facts]}")
            continue
        found += 1
        for field, value in zip(FIELDS, details, strict=False):
            if value not in ("-", "?") and getattr(fact, field) != value:
                wrong.append(f"{caption} {finding}: {field} is {getattr(fact, field)}, not {value}")
    return found, len(facts), wrong


def test_finding_and_presence_are_read_with_high_precision_and_recall() -> None:
    marked = _marked()
    hits = [_hits(caption, stated) for caption, stated in marked]
    found, read, stated = sum(h[0] for h in hits), sum(h[1] for h in hits), sum(len(s) for _, s in marked)
    wrong = [line for hit in hits for line in hit[2]]
    assert len(marked) >= 75
    assert found / stated >= 0.97, wrong
    assert found / read >= 0.90, wrong


def test_side_site_and_severity_belong_to_their_finding() -> None:
    details = sum(
        value not in ("-", "?") for _, stated in _marked() for _, _, more in stated for value in more
    )
    wrong = [line for caption, stated in _marked() for line in _hits(caption, stated)[2] if " is " in line]
    assert len(wrong) / details <= 0.03, wrong


def test_offsets_hold_the_wording_of_the_caption() -> None:
    caption = "LLL consolidation; an enlarged cardiac silhouette and a 12 mm right apical lung nodule."
    facts = read_facts(caption).facts
    assert [caption[f.start : f.end] for f in facts] == [f.text for f in facts]
    assert [f.finding for f in facts] == ["consolidation", "cardiomegaly", "lung nodule"]
    assert facts[2].size_mm == 12.0


@pytest.mark.parametrize(
    ("caption", "size_mm"),
    [
        ("A 2 cm renal cyst.", 20.0),
        ("A mass of 4.0 x 3.1 x .7-cm in the liver.", 40.0),
        ("A nodule measuring 9 mm.", 9.0),
        ("An abscess of 30 cm3.", None),
        ("A haematoma.", None),
    ],
)
def test_sizes_in_millimetres(caption: str, size_mm: float | None) -> None:
    assert read_facts(caption).facts[0].size_mm == size_mm


def test_a_finding_said_twice_is_one_fact() -> None:
    facts = read_facts("A left pleural effusion. The left pleural effusion is small.").facts
    assert [f.finding for f in facts] == ["pleural effusion"]


def test_metadata_wins_over_text_on_the_modality() -> None:
    assert read_facts("Compared with the CT, the effusion is smaller.", "MR - T2 weighted").modality == "MR"
    assert read_facts("Chest X-ray.").modality == "radiograph"
    assert read_facts("A cyst.").modality is None
    assert modality_of("DX") == "radiograph"
    assert modality_of("nothing known") is None


def test_what_the_image_is_counts_as_a_fact() -> None:
    facts = read_facts("MRI of the left knee shows a joint effusion.").facts
    assert (facts[0].finding, facts[0].site, facts[0].side) == ("MR image", "knee", "left")
    assert not read_facts("Compared with the previous CT.").facts


def test_nothing_is_read_from_nothing() -> None:
    assert read_facts("").facts == ()
    assert read_facts("The weather was fine.").facts == ()
