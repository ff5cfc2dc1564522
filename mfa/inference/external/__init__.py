"""External models: any embedder, run as it is, that joins scoring, comparison and distillation.

``load_external`` takes an ONNX file, an OpenVINO IR, a ``torch.export`` file, a
model of torchvision or timm by name, or a Python callable. What it gives has ``embed`` and
``size``. Runtimes beyond PyTorch are the extra ``pip install 'mfa-workbench[external]'``.
"""

from mfa.inference.external.embedder import CONVENTIONS, Convention, External, Inputs
from mfa.inference.external.load import from_callable, from_run, load_external

__all__ = [
    "CONVENTIONS",
    "Convention",
    "External",
    "Inputs",
    "from_callable",
    "from_run",
    "load_external",
]
