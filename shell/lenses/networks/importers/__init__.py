"""Networks from other people's files: Hugging Face folders, ONNX files, PyTorch modules."""
