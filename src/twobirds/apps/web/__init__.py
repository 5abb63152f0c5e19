"""The web page over a `FaceModel`, and its HTTP API."""
