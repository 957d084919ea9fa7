"""Is it wanted?  Judges report; the pipeline combines and decides."""
