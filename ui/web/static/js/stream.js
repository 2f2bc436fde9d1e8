/* Server-sent events over fetch: POST with a body, which EventSource cannot do (WHATWG HTML 9.2). */
export async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "", held = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    // a line end may be cut between its two characters: the first waits for the second
    const text = held + value;
    held = text.endsWith("\r") ? "\r" : "";
    rest += (held ? text.slice(0, -1) : text).replace(/\r\n?/g, "\n");
    let end;
    while ((end = rest.indexOf("\n\n")) >= 0) {
      const event = { name: "message", data: [] };
      for (const line of rest.slice(0, end).split("\n")) {
        if (line.startsWith("event:")) event.name = line.slice(6).trim();
        else if (line.startsWith("data:")) event.data.push(line.slice(5).replace(/^ /, ""));
      }
      rest = rest.slice(end + 2);
      if (event.data.length) yield { name: event.name, data: JSON.parse(event.data.join("\n")) };
    }
  }
}
