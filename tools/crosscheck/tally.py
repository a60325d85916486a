"""Counts checks that hold and checks that do not, and says which do not."""


class Tally:
    def __init__(self):
        self.passed = 0
        self.failed = 0

    def heading(self, text):
        print(f"\n-- {text}", flush=True)

    def check(self, name, works):
        """Runs `works`; an exception is a failed check. Returns its result, or None where it failed."""
        try:
            result = works()
        except Exception as error:  # Whatever a library raises is what we want to hear.
            self.fail(name, f"{type(error).__name__}: {error}")
            return None
        self.passed += 1
        return result

    def fail(self, name, reason):
        self.failed += 1
        print(f"FAILED: {name}: {reason}", flush=True)

    def closing_line(self):
        return f"{self.passed} passed, {self.failed} failed"
