"""The report a reviewer signs and the model card that travels with the model. Pure rendering."""
