"""supple: a posture and spinal mobility monitor."""
