"""Does the decision change when the text names another group?"""
