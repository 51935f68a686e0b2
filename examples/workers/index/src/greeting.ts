export const greeting = (now: Date): string => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>Warren</title>
  </head>
  <body>
    <h1>Good ${partOfDay(now.getHours())}</h1>
    <p>This page is workers/index/src/main.ts. <a href="/guide/">The guide</a> is a folder of files.</p>
  </body>
</html>
`;

const partOfDay = (hour: number): string => (hour < 12 ? "morning" : hour < 18 ? "afternoon" : "evening");
