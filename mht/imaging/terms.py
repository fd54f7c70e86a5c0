"""The coded words of a DICOM header that may leave the decoding child: DICOM's own defined terms, and no others.

A shape is not enough: a name typed into the wrong field has the shape of a code. Terms from DICOM PS3.3 C.7.3.1.1.1
(modalities), PS3.16 annex L (body parts) and PS3.3 C.8.1.3 (views).
"""

from __future__ import annotations

MODALITIES = frozenset(
    ["BI", "BMD", "CR", "CT", "DG", "DX", "ECG", "EPS", "ES", "GM", "IO", "IVOCT", "IVUS", "LS", "MG", "MR", "NM", "OAM", "OCT", "OP", "OPM", "OPT", "OPTBSV", "OPTENF", "OPV", "OSS", "OT", "PT", "PX", "RF", "RG", "RTIMAGE", "RTDOSE", "SC", "SM", "TG", "US", "VA", "XA", "XC", "AU", "DF", "DS", "CF", "FA", "FS", "CP", "MA", "MS", "ST", "VF", "SEG", "PMAP"]
)

BODY_PARTS = frozenset(
    ["ABDOMEN", "ABDOMENPELVIS", "ADRENAL", "ANKLE", "AORTA", "APPENDIX", "ARM", "AXILLA", "BACK", "BILEDUCT", "BLADDER", "BRAIN", "BREAST", "BRONCHUS", "BUTTOCK", "CALCANEUS", "CALF", "CAROTID", "CEREBELLUM", "CERVIX", "CHEEK", "CHEST", "CHESTABDOMEN", "CHESTABDPELVIS", "CIRCLEOFWILLIS", "CLAVICLE", "COCCYX", "COLON", "CORNEA", "CORONARYARTERY", "CSPINE", "CTSPINE", "DUODENUM", "EAR", "ELBOW", "ESOPHAGUS", "EXTREMITY", "EYE", "EYELID", "FACE", "FEMUR", "FINGER", "FOOT", "FOREARM", "GALLBLADDER", "HAND", "HEAD", "HEADNECK", "HEART", "HIP", "HUMERUS", "IAC", "ILEUM", "ILIUM", "JAW", "JEJUNUM", "KIDNEY", "KNEE", "LARYNX", "LEG", "LIVER", "LLEG", "LSPINE", "LSSPINE", "LUMBAR", "LUNG", "MANDIBLE", "MAXILLA", "MEDIASTINUM", "MOUTH", "NECK", "NECKCHEST", "NECKCHESTABDOMEN", "NECKCHESTABDPELV", "NOSE", "ORBIT", "OVARY", "PANCREAS", "PAROTID", "PATELLA", "PELVIS", "PENIS", "PHARYNX", "PROSTATE", "RADIUS", "RECTUM", "RIB", "RIBS", "SACRUM", "SCALP", "SCAPULA", "SCLERA", "SCROTUM", "SELLA", "SHOULDER", "SIJOINT", "SKIN", "SKULL", "SPINE", "SPLEEN", "SSPINE", "STERNUM", "STOMACH", "TESTIS", "THIGH", "THORAX", "THUMB", "THYMUS", "THYROID", "TIBIA", "TLSPINE", "TMJ", "TOE", "TONGUE", "TRACHEA", "TSPINE", "ULNA", "URETER", "URETHRA", "UTERUS", "VAGINA", "VULVA", "WHOLEBODY", "WRIST", "ZYGOMA"]
)

VIEWS = frozenset(["AP", "PA", "LL", "RL", "RLD", "LLD", "RLO", "LLO", "LAT", "CC", "MLO", "ML", "LM", "XCC", "XCCL", "XCCM", "LMO", "SIO", "FB", "ISO", "CV"])
