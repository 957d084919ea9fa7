"""Users send mail: as whom they may, and how much."""
