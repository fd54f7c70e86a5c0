"""One thread: two test processes with two each would wait for one another."""

from __future__ import annotations

import torch

torch.set_num_threads(1)
