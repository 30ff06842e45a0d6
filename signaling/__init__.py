"""Pairing participants: the protocol, the session machine, the WebSocket edge and a participant in Python."""
