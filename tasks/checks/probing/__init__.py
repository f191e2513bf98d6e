"""Can a protected attribute be read inside the subject, and is it used?"""
