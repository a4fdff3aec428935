"""3D joints in, SMPL rotations out: the Python client of Sinew."""
