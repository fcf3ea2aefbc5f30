"""Programs in other languages print "ok NAME" or "failed NAME: why"; each line is a subtest."""
import re


def check(test, output, at_least):
    claims = re.findall(r"^(ok|failed) (\S+?)(?::? (.*))?$", output, re.M)
    test.assertGreaterEqual(len(claims), at_least, output)
    for verdict, name, why in claims:
        with test.subTest(name):
            test.assertEqual(verdict, "ok", why)
