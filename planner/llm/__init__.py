"""The rooms of the language-model planner: the endpoint, the wire, prompts, answers and what is wrong with them."""
