# SPDX-License-Identifier: MIT
"""One module for each ./vectra command: SUMMARY, HELP, and main(arguments) that returns the exit status."""
