"""Users send mail: as whom they may."""
