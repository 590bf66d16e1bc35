"""The draft of the intents."""
