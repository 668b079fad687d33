"""Where the sensor sits, watched all day: slips, re-attachment, creep."""
