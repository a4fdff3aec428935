"""PyTorch reference, trainer and evaluation of the networks that Sinew ships."""
