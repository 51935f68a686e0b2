// A test run in small: some lines, and an exit status. FAIL=1 makes it fail.
const steps = ["lint", "types", "tests"];
for (const step of steps) console.log(`${step}: ok`);
if (process.env.FAIL === "1") {
  console.error("tests: 1 of 3 failed");
  process.exitCode = 1;
}
