"""What is drawn on a screen: shapes, the board they lie on, and drawing a board on a picture."""
