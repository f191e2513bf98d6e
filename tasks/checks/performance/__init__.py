"""How often is the subject right?"""
