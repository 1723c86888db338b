"""The simulator: random stories played by the production code, and checkers that try to fail it.

Why: nobody thinks of every order in which signals, people, carriers and crashes can meet. It never
holds rules of its own beside the checkers, and a checker never asks the code that it checks.
Invariant: the same seed is the same story, and a failure is a story that anybody can play again.
"""
