-- One row per meter, in the order in which answers list them, with what its count is part of and whose price it may have.
--
-- What was read from the cache as images is part of the images, and they of the input: part_of goes up one step at a
-- time. priced_as names the meters whose price a part has when it has none of its own, the nearest first, and ends with
-- the outermost whole. Not each of them is a whole of the part: a write to the cache of unknown lifetime lasts five minutes
-- at every vendor, and cached images of a model that asks nothing of its own for images are cached text.
CREATE VIEW mart.meter AS
SELECT number, meter, part_of,
       coalesce(priced_as[cardinality(priced_as)], meter) = 'input_token' AS in_prompt, priced_as::text[] AS priced_as
  FROM (VALUES (1, 'input_token', NULL, '{}'::text[]),
               (2, 'output_token', NULL, '{}'),
               (3, 'reasoning_token', 'output_token', '{output_token}'),
               (4, 'cache_read_token', 'input_token', '{input_token}'),
               (5, 'cache_read_implicit_token', 'input_token', '{input_token}'),
               (6, 'cache_write_token', 'input_token', '{cache_write_5m_token, input_token}'),
               (7, 'cache_write_5m_token', 'cache_write_token', '{cache_write_token, input_token}'),
               (8, 'cache_write_1h_token', 'cache_write_token', '{cache_write_token, cache_write_5m_token, input_token}'),
               (9, 'cache_storage_token_hour', NULL, '{}'),
               (10, 'input_image', NULL, '{}'),
               (11, 'output_image', NULL, '{}'),
               (12, 'request', NULL, '{}'),
               (13, 'web_search', NULL, '{}'),
               (14, 'input_character', NULL, '{}'),
               (15, 'input_text_byte', NULL, '{}'),
               (16, 'input_image_token', 'input_token', '{input_token}'),
               (17, 'cache_read_image_token', 'input_image_token', '{input_image_token, cache_read_token, input_token}'),
               (18, 'output_image_token', 'output_token', '{output_token}'),
               (19, 'input_audio_token', 'input_token', '{input_token}'),
               (20, 'cache_read_audio_token', 'input_audio_token', '{input_audio_token, cache_read_token, input_token}'),
               (21, 'output_audio_token', 'output_token', '{output_token}'),
               (22, 'input_video_token', 'input_token', '{input_token}'),
               (23, 'cache_read_video_token', 'input_video_token', '{input_video_token, cache_read_token, input_token}'),
               (24, 'output_video_token', 'output_token', '{output_token}'),
               (25, 'input_file_token', 'input_token', '{input_token}'),
               (26, 'cache_read_file_token', 'input_file_token', '{input_file_token, cache_read_token, input_token}'),
               (27, 'output_file_token', 'output_token', '{output_token}'),
               (28, 'input_audio_second', NULL, '{}'),
               (29, 'output_audio_second', NULL, '{}')) meter (number, meter, part_of, priced_as);

COMMENT ON VIEW mart.meter IS
    'One row per meter, in the order in which answers list them, with what its count is part of and whose price it has when it has none of its own.';
