"""Train the injection classifier: phrases, generator, features, stacking. See MODEL_CARD.md."""
