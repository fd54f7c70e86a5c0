"""The nouns: what moves between stages. How they lie in files is in `schemas`.

A record is frozen and complete: a stage makes a new one, it never adds a field to another's.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why an input was quarantined; one word a cause, counted in the books."""

    # the object
    MISSING_OBJECT = "missing_object"
    UNREADABLE_OBJECT = "unreadable_object"
    REPLACED_SINCE_PLAN = "replaced_since_plan"
    EMPTY_FILE = "empty_file"
    TOO_MANY_BYTES = "too_many_bytes"
    # the image
    NOT_AN_IMAGE = "not_an_image"
    FORMAT_NOT_ALLOWED = "format_not_allowed"
    TRUNCATED = "truncated"
    CORRUPT = "corrupt"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_SMALL = "too_small"
    TOO_LONG = "too_long"
    TOO_NARROW = "too_narrow"
    MULTI_FRAME = "multi_frame"
    NOT_FINITE = "not_finite"
    NO_PIXELS = "no_pixels"
    BURNED_IN_ANNOTATION = "burned_in_annotation"
    UNSUPPORTED_ENCODING = "unsupported_encoding"
    DECODER_CRASHED = "decoder_crashed"
    DECODER_TIMEOUT = "decoder_timeout"
    OUT_OF_MEMORY = "oom"
    # the text
    CAPTION_MISSING = "caption_missing"
    CAPTION_TOO_LONG = "caption_too_long"
    CAPTION_NOT_UTF8 = "caption_not_utf8"
    NO_FACTS = "no_facts"
    NO_PAIRS = "no_pairs"
    # the engine, see generation.Failure
    ENGINE_RATE_LIMITED = "engine_rate_limited"
    ENGINE_SERVER_ERROR = "engine_server_error"
    ENGINE_TIMEOUT = "engine_timeout"
    ENGINE_CONNECTION = "engine_connection"
    ENGINE_NOT_ACCEPTED = "engine_not_accepted"
    ENGINE_NOT_A_COMPLETION = "engine_not_a_completion"
    ENGINE_NO_CHOICES = "engine_no_choices"
    ENGINE_EMPTY_REPLY = "engine_empty_reply"
    ENGINE_REPLY_TOO_LARGE = "engine_reply_too_large"
    ENGINE_FILTERED = "engine_filtered"
    ENGINE_PROMPT_TOO_LONG = "engine_prompt_too_long"
    ENGINE_CUT_SHORT = "engine_cut_short"
    ENGINE_NOT_FINITE = "engine_not_finite"
    # what it replied, see replies.Kind
    REPLY_TOO_LONG = "reply_too_long"
    REPLY_EMPTY = "reply_empty"
    REPLY_PROSE = "reply_prose"
    REPLY_JSON_IN_PROSE = "reply_json_in_prose"
    REPLY_BROKEN_JSON = "reply_broken_json"
    REPLY_DUPLICATE_KEY = "reply_duplicate_key"
    REPLY_NOT_A_NUMBER = "reply_not_a_number"
    REPLY_NOT_UNICODE = "reply_not_unicode"
    REPLY_WRONG_SCHEMA = "reply_wrong_schema"
    REPLY_REFUSED = "reply_refused"
    REPLY_ECHOED = "reply_echoed"
    REPLY_DEGENERATE = "reply_degenerate"
    REPLY_UNFIT = "reply_unfit"
    # the verifier
    VERIFIER_DISAGREES = "verifier_disagrees"
    # the benchmarks
    BENCHMARK_LEAK = "benchmark_leak"


class State(StrEnum):
    """The two states of a pair: its premise is true of the image, or one thing in it is not."""

    FAITHFUL = "faithful"
    HALLUCINATED = "hallucinated"


class Subject(StrEnum):
    """What a fact is about, and so which perturbations are asked of it: a finding that is there, one that is denied
    outright, or what the image itself is."""

    STATED = "stated"
    DENIED = "denied"
    STUDY = "study"


@dataclass(frozen=True, slots=True)
class SourceItem:
    """One image as a source lists it, before anything is read.

    `name` is the key below the source's root and, hashed, the image's identity: the same files under another
    root, or in a bucket, keep their ids. `uri` is where the bytes are; with `offset_bytes` and `length_bytes`
    they are a range of it (a member of a tar), with `row` a row of a table. `size_bytes` and `version` (an ETag
    or a time of change) are what the listing said, None where it said nothing. `caption` is set where the listing
    already holds the text; `caption_uri` where it must be fetched, with `caption_version`, what the listing said of
    that object. `modality` is the source's own word for it.
    """

    name: str
    uri: str
    offset_bytes: int | None = None
    length_bytes: int | None = None
    row: int | None = None
    size_bytes: int | None = None
    version: str | None = None
    group: str | None = None
    licence: str | None = None
    modality: str | None = None
    caption: str | None = None
    caption_uri: str | None = None
    caption_version: str | None = None


@dataclass(frozen=True, slots=True)
class PlannedImage:
    """A row of plan.parquet: a source item with its identity, its split and its shard."""

    image_id: str
    item: SourceItem
    group: str
    split: str
    shard: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """A reason with its particulars: what was found and what to do. Never a tag's value, never bytes."""

    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a source read for one image: the file's bytes as they are, or why there are none."""

    data: bytes | None
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class NormalisedImage:
    """An image after decoding: 8-bit grey or RGB, upright, without metadata, encoded again.

    `source_sha256` is of the bytes that came in; `pixel_hash` is a 256-bit perceptual hash (32 bytes), `thumbnail`
    a 64 x 64 grey copy (4096 bytes), None where it was not kept.
    `modality` and `body_part` come from a DICOM file's allowed tags, None elsewhere.
    """

    data: bytes
    format: str
    width_px: int
    height_px: int
    source_width_px: int
    source_height_px: int
    source_format: str
    source_sha256: str
    pixel_hash: bytes
    modality: str | None = None
    body_part: str | None = None
    view: str | None = None
    laterality: str | None = None
    thumbnail: bytes | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """One statement of a caption about the image.

    `finding` is the lexicon's concept, `text` its wording; `start` and `end` are character offsets into the
    caption. `presence` is present, absent or uncertain. `side` is left, right or bilateral; `site` the lexicon's
    anatomical concept; `severity` the graded word; `attributes` are words of other scales (margin, density, number,
    change, plane …), at most one a scale, in the order of their scales. None means that the caption does not say.
    """

    finding: str
    text: str
    start: int
    end: int
    presence: str
    side: str | None = None
    site: str | None = None
    severity: str | None = None
    size_mm: float | None = None
    attributes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """The facts of one caption, in the order of the text, with the modality it speaks of (None: unsaid)."""

    caption: str
    facts: tuple[Fact, ...]
    modality: str | None = None


@dataclass(frozen=True, slots=True)
class Edit:
    """One thing made false: `before` becomes `after` in `slot` of a fact (see `knowledge.slots`).

    `fact` is the index of the contradicted fact in the reading. `forward` is the probability with which the
    perturbation proposes `after` from `before`, `backward` the reverse: detailed balance needs both. `strategy` says
    how a false finding was come by: popular (the text denies it), adversarial (it goes along with what is there or
    looks like it) or random; None elsewhere.
    """

    type: str
    fact: int
    slot: str
    before: str
    after: str
    forward: float
    backward: float
    strategy: str | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """A question and its answer about one image. Its twin has the same `twin_id` and the other state.

    `premise` is the noun phrase that the question takes for granted or asks about, `the small effusion on the left`.
    `span_start` and `span_end` are the edited span's character offsets in the question, `span` its text here,
    `counterpart` the text that stands there in the twin. `evidence` is the contradicted or supported fact in
    words. `polarity` is yes or no for a yes/no answer, None otherwise. `rejected` is a wrong answer to the question,
    one that takes a false premise for true or denies a true one, for training by preference. `strategy` is the
    edit's. `row_hash` covers every other column.
    """

    pair_id: str
    twin_id: str
    image_id: str
    split: str
    form: str
    state: str
    type: str
    strategy: str | None
    question: str
    premise: str
    answer: str
    rejected: str
    polarity: str | None
    slot: str
    span_start: int
    span_end: int
    span: str
    counterpart: str
    evidence: str
    risk: str
    risk_rule: str
    row_hash: str


@dataclass(frozen=True, slots=True)
class Wording:
    """A model's words for one twin pair. `question` holds the writer's mark where the premise goes, once.

    `true_answer` is right and `true_wrong` wrong where the question has the true reading of the premise, `false_answer`
    and `false_wrong` where it has the false one.
    """

    twin_id: str
    question: str
    true_answer: str
    true_wrong: str
    false_answer: str
    false_wrong: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verifier's model said of one step of one pair.

    `row_hash` is the row's that was judged. `verdict` is the model's word, None where it gave none; `reason` its own
    reason, or what became of the request. `refusal` is why the pair cannot stay, None where the model agrees.
    """

    pair_id: str
    row_hash: str
    step: str
    verdict: str | None
    reason: str
    refusal: Reason | None


@dataclass(frozen=True, slots=True)
class RefusedPair:
    """A pair that a model's work refused, with its twin: at which stage, why, and the particulars."""

    pair_id: str
    twin_id: str
    image_id: str
    stage: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Quarantined:
    """An input that became no pair: where it stopped, why, and after how many attempts."""

    image_id: str
    split: str
    stage: str
    reason: str
    detail: str
    attempts: int
