// Before the first paint: the theme chosen last time, if one was; otherwise the system's.
try {
  const theme = localStorage.getItem("paperdesk.theme");
  if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be forbidden; the system's theme is shown then.
}
