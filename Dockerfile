FROM node:26-slim
WORKDIR /plait
COPY package.json package-lock.json ./
# The image's own Node is the one the package `node` would bring.
RUN npm ci
COPY . .
USER node
ENV HOST=0.0.0.0
EXPOSE 8080
CMD ["node", "bin/plait.js", "start"]
