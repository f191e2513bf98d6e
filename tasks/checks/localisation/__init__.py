"""At which layer does the decision form, and where does an exchanged field move it?"""
