"""What each command takes and says of itself. Heavy imports wait inside the functions."""
