"""``python -m mfa.cli``, which ``torchrun -m -- mfa.cli`` starts in each process."""

from mfa.cli import main

if __name__ == "__main__":
    main()
