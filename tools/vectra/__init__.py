# SPDX-License-Identifier: MIT
"""What ./vectra does: builds, boots, tests and measures VectraOS. Standard library only."""
