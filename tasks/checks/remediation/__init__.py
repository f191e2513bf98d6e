"""What would close the gap between groups, and at what price?"""
