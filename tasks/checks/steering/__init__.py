"""How do decisions respond when the difference between two groups is added inside?"""
