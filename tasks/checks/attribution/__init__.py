"""Which words drive which decision, and which methods can be believed?"""
