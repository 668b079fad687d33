"""The rotation from sensor to body, found in how somebody stands, walks and bends."""
