"""What each column of pairs/ and images/ holds, in words; the card and croissant.json both say it from here."""

from __future__ import annotations

PAIRS = {
    "pair_id": "The pair: its image's id, a dash, its twin's number and f or h for its state.",
    "twin_id": "What the two pairs of a twin have in common: one faithful, one hallucinated, on one image.",
    "image_id": "The image, a row of images/ in the shard of the same number.",
    "split": "train, validation or test; a patient, case or figure lies in one of them as a whole.",
    "form": "How the question is put: yes_no, leading_premise and others.",
    "state": "faithful: the question's premise is true of the image; hallucinated: one span of it is false.",
    "type": "What kind of thing is false, here or in the twin: existence, laterality, severity and others.",
    "strategy": "How a false finding was come by: popular (the caption denies it), adversarial (not mentioned; it "
    "goes along with the true one or looks like it) or random (not mentioned); empty for other edits.",
    "question": "What is asked of the image.",
    "answer": "The right answer: it declines a false premise and says what is there instead.",
    "rejected": "A wrong answer to the same question, for training by preference.",
    "premise": "The noun phrase that the question takes for granted or asks about.",
    "polarity": "yes or no where the answer is one of them, else empty.",
    "slot": "The part of the statement that was edited.",
    "span_start": "Where the edited span begins in the question, in characters.",
    "span_end": "Where it ends, exclusive.",
    "span": "The edited span's text here.",
    "counterpart": "The text that stands there in the twin's question.",
    "evidence": "The fact of the caption that the premise contradicts or restates, in words.",
    "risk": "none, low, moderate, high or critical: the harm if the false premise were believed, by rule.",
    "risk_rule": "The rule that gave the risk.",
    "row_hash": "A hash of all other columns.",
}
IMAGES = {
    "image_id": "A hash of the image's name in its source.",
    "split": "train, validation or test.",
    "group": "A hash of the patient, case or figure; groups never cross splits.",
    "image": "The normalised image: 8-bit grey or RGB, without metadata, as JPEG or PNG.",
    "width_px": "Width of the stored image.",
    "height_px": "Height of the stored image.",
    "source_width_px": "Width of the source image.",
    "source_height_px": "Height of the source image.",
    "source_format": "What the source file was.",
    "source_sha256": "sha256 of the source file.",
    "pixel_hash": "A perceptual hash of 256 bits.",
    "caption": "The text that the facts were read from.",
    "facts": "The caption's statements: finding, wording and place in the caption, presence, and what else it says.",
    "modality": "The kind of image, from the source or the caption, in the lexicon's words.",
    "dicom_modality": "The modality code of a DICOM file.",
    "body_part": "The body part of a DICOM file.",
    "view": "The view of a DICOM file.",
    "laterality": "The side of a DICOM file.",
    "licence": "The image's licence, as its source says it.",
}
KINDS = {"pairs": PAIRS, "images": IMAGES}
