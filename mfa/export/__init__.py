"""A trained network as a file that other programs run: ONNX, OpenVINO or ``torch.export``.

The file takes 8-bit pictures and holds the pre-processing. ``load_external`` reads it back, and so
it is scored, compared and searched with like any other model. A file for training on, or for
``open_run``, is ``mfa.runs.export.release``.
"""

from mfa.export.files import FORMATS, Format, export
from mfa.export.parity import measure_parity

__all__ = ["FORMATS", "Format", "export", "measure_parity"]
