export default {
  extends: ["@commitlint/config-conventional"],
  rules: {
    "header-max-length": [2, "always", 72],
    "body-max-line-length": [0],
    "footer-max-line-length": [0],
    // A subject may begin with a name such as SQLite.
    "subject-case": [0],
  },
};
